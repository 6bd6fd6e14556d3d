"""Validates the built-in kinds in YAML files, strictly, against the schemas of Kubernetes.

usage: validate.py VERSION[,VERSION...] FILE...

Prints one line for each document that is valid ("Kind name") and one for each error; ends with 1
when there was an error. Kinds that are defined by others' resource definitions are skipped; a
built-in kind without a schema is an error.
"""

import sys

import kubernetes_validate
import yaml

# Whose kinds have no schema in the package.
OTHERS = ("dapr.io/", "kafka.strimzi.io/", "kustomize.config.k8s.io/", "monitoring.coreos.com/")


def main(versions, files):
    failed = False
    for file in files:
        with open(file, encoding="utf-8") as stream:
            for document in yaml.safe_load_all(stream):
                if document["apiVersion"].startswith(OTHERS):
                    continue
                name = f"{document['kind']} {document['metadata']['name']}"
                try:
                    for version in versions:
                        kubernetes_validate.validate(document, version, strict=True)
                    print(name)
                except kubernetes_validate.ValidationError as error:
                    failed = True
                    where = ".".join(str(step) for step in error.path)
                    print(f"{file}: {name}: {where}: {error.message} (Kubernetes {error.version})")
                except kubernetes_validate.SchemaNotFoundError as error:
                    failed = True
                    print(f"{file}: {name}: {error.message}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(","), sys.argv[2:]))
