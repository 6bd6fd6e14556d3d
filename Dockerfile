# syntax=docker/dockerfile:1
# Two stages: the first has the toolchain, the second only the binary and what it links to.
# PACKAGE is what is built: the scheduler, or one of the services around it, such as `todo-api`.

FROM rust:1.95-bookworm AS build
ARG PACKAGE=reminder-scheduler
# The commit that is built, for the metric `reminder_build_info`.
ARG REVISION=unknown
WORKDIR /build
# .dockerignore lets through what cargo needs to understand the workspace, and nothing else.
COPY . .
# The caches outlive the build, so a changed source file compiles one crate, not all of them.
# They are not part of the image, hence the copy at the end. The binary has its package's name, by which it
# is called in a container that runs; `service` is what every image starts.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/local/cargo/git \
    --mount=type=cache,target=/build/target \
    REVISION="$REVISION" cargo build --release --locked --package "$PACKAGE" --bin "$PACKAGE" \
    && install -D "target/release/$PACKAGE" "/out/usr/local/bin/$PACKAGE" \
    && ln -s "$PACKAGE" /out/usr/local/bin/service

# The C library, CA certificates and nothing to log into: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/ /
# By number, so that Kubernetes can see that it is not root. Dapr's images use the same.
USER 65532:65532
# A container's loopback is reached by nobody; who may connect is decided by published ports.
ENV APP_HOST=0.0.0.0 \
    APP_PORT=8080 \
    LOG_FORMAT=json
EXPOSE 8080
# In exec form, so that SIGTERM reaches the service itself. The scheduler is started with `serve`.
ENTRYPOINT ["/usr/local/bin/service"]
