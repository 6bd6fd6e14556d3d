//! The statements of docs/how-to/kubernetes.md: the role and the database that they make are enough for the service.

use crate::support::{self, Database, unique};

const PAGE: &str = include_str!("../../docs/how-to/kubernetes.md");

/// The role, the database, and the role's password, as the page has them.
const NAME: &str = "reminders";
const PASSWORD: &str = "CHANGE-ME";

#[tokio::test]
async fn the_role_and_the_database_of_the_guide_are_enough() {
    let admin = Database::empty().await;
    let block = PAGE.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    // The stack has them by these names.
    let name = unique("guide");
    let statements = block.replace(NAME, &name);
    let statements: Vec<&str> = statements.split_inclusive(';').map(str::trim).collect();
    let statements = statements.iter().filter(|statement| !statement.is_empty());
    for statement in statements {
        admin.client.batch_execute(statement).await.unwrap();
    }
    let url = admin.url_of(&name, &name, PASSWORD);
    let client = support::connect(&url).await;
    support::create_table(&client).await;
    let migrated = support::migrate(&url).await;
    assert!(migrated.is_ok(), "{:?}", migrated.err());
    drop(client);
    for statement in [format!("DROP DATABASE {name} WITH (FORCE)"), format!("DROP ROLE {name}")] {
        admin.client.batch_execute(&statement).await.unwrap();
    }
}
