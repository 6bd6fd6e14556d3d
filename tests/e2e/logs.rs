//! Logs as machines read them, and what is logged while the service runs.

use crate::process::{Service, environment};
use crate::suite::gentle;
use serde_json::Value;
use std::collections::BTreeSet;

/// The fields that every line has.
const ALWAYS: [&str; 4] = ["level", "message", "target", "timestamp"];

/// A task that is not there is refused, which is logged when its module is asked to say more.
async fn refused(service: &Service) {
    let url = format!("http://127.0.0.1:{}/actors/TaskActor/nobody/method/get", service.port);
    let answer = reqwest::Client::new().put(url).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("unknown-task"));
}

#[test]
fn what_is_logged_follows_a_file_and_each_line_has_the_same_fields() {
    gentle(async |suite| {
        let file = std::env::temp_dir().join(suite.unique("log-filter"));
        let mut service = Service::start(
            suite,
            &environment(&[
                ("DAPR_GRPC_PORT", &suite.manifest().replica(1).unwrap().grpc_port.to_string()),
                ("DATABASE_URL", &suite.manifest().database_url()),
                ("LOG_FORMAT", "json"),
                ("LOG_FILTER_FILE", file.to_str().unwrap()),
            ]),
        );
        service.becomes_ready().await;
        refused(&service).await;
        let more = "info,reminder_scheduler::dapr=debug";
        std::fs::write(&file, more).unwrap();
        service.logs(&format!("\"another log filter holds\",\"filter\":\"{more}\"")).await;
        refused(&service).await;
        service.logs("\"message\":\"refused\"").await;
        std::fs::write(&file, "info,what=loud").unwrap();
        service.logs("the file with the log filter cannot be used").await;
        std::fs::remove_file(&file).unwrap();
        // What held at the start: RUST_LOG.
        service.logs("\"another log filter holds\",\"filter\":\"info\"").await;
        refused(&service).await;
        service.terminate();
        let ended = service.ended().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");

        let lines: Vec<Value> =
            ended.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &lines {
            let fields: BTreeSet<&str> = line.as_object().unwrap().keys().map(|k| &**k).collect();
            assert!(ALWAYS.iter().all(|name| fields.contains(name)), "{line}");
        }
        let told = lines.iter().filter(|line| line["message"] == "refused");
        let told: Vec<&Value> = told.collect();
        assert_eq!(told.len(), 1, "only while it was asked for: {told:?}");
        assert_eq!((&told[0]["level"], &told[0]["task.id"]), (&"DEBUG".into(), &"nobody".into()));
    });
}
