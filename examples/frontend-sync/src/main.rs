//! The `frontend-sync` binary.

use clap::Parser;
use frontend_sync::config::{Args, Settings};
use frontend_sync::feed::Epoch;
use frontend_sync::http::{self, Front};
use frontend_sync::hub::Hub;
use frontend_sync::updates;
use reminder_contract::names::FRONTEND_APP_ID;
use reminder_member::server::{self, Routes};
use reminder_member::{MemberConfig, Sidecar, telemetry};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often feeds that nobody looks at are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    let (config, settings) = match Args::parse().config() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let _spans = match telemetry::start(FRONTEND_APP_ID, &config) {
        Ok(export) => export,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match run(config, settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the service cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: MemberConfig, settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let stop = server::termination()?;
    let sidecar = Sidecar::new(&config.sidecar)?;
    let hub = Hub::new(Epoch::random());
    tokio::spawn(stop.clone().run_until_cancelled_owned(sweep(hub.clone())));
    let closing = (stop.clone(), hub.clone());
    tokio::spawn(async move {
        let (stop, hub) = closing;
        stop.cancelled().await;
        // The streams would never end by themselves; the pages come back to the next process.
        hub.close();
    });
    let routes = Routes {
        public: http::router(Front { hub: hub.clone(), sidecar: sidecar.clone(), settings }),
        sidecar: updates::subscriptions(sidecar.clone(), hub).router(),
    };
    server::serve(routes, sidecar, &config.server, stop).await?;
    Ok(())
}

async fn sweep(hub: Arc<Hub>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        hub.sweep(Instant::now());
    }
}
