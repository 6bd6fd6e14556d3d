//! The commands of a shell block, one by one and word for word, as their reader copies them.

/// The commands of a script, each with all of its lines: a backslash, a pipe, an open quote or a loop carries
/// one on. Comments between them are left out.
pub(crate) fn commands(script: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in script.lines() {
        let quiet = line.trim().is_empty() || line.trim().starts_with('#');
        match found.last_mut() {
            Some(last) if goes_on => {
                last.push('\n');
                last.push_str(line);
            }
            _ if quiet => continue,
            _ => found.push(line.to_owned()),
        }
        goes_on = found.last().is_some_and(|last| is_open(last));
    }
    found
}

/// Whether more of a command must follow.
fn is_open(command: &str) -> bool {
    let in_loop = command.starts_with("for ") && !command.ends_with("\ndone");
    let end = command.trim_end();
    in_loop || end.ends_with('\\') || end.ends_with('|') || has_open_quote(command)
}

fn has_open_quote(command: &str) -> bool {
    let mut quote = None;
    let mut chars = command.chars();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => {
                while chars.next().is_some_and(|c| c != '\n') {}
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '\\') => {
                chars.next();
            }
            _ => {}
        }
        before = c;
    }
    quote.is_some()
}

#[test]
fn commands_are_told_apart_with_all_of_their_lines() {
    let script = "one  # it's first\n# a note\n\ntwo -d '{\"a\": \"'\"$A\"'\",\n  \"b\": 1}'\nthree \\\n  --x |\n  four\n\
                  for a in b; do\n  five $a\ndone\nsix\n";
    let told = commands(script);
    assert_eq!(told.len(), 5, "{told:#?}");
    assert_eq!(told[1], "two -d '{\"a\": \"'\"$A\"'\",\n  \"b\": 1}'");
    assert!(told[2].ends_with("four") && told[3].ends_with("done") && told[4] == "six");
}
