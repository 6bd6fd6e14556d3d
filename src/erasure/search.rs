//! The user's name in tasks of others: who shall do them, and who asked for them.
//!
//! No index knows it; so all stored states are gone through, a part in each look, until once none of them named
//! the user. How far that is, the request's row says.

use super::{Erasing, settings};
use crate::audit::paced::PassError;
use crate::metrics::metrics;
use crate::planted::{self, Bug};
use crate::ports::Ports;
use crate::read_model::Search;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use std::sync::Arc;

impl<P: Ports> Erasing<P> {
    /// Goes on with the search; tells whether it is over.
    pub(super) async fn search(&mut self, user: &Person) -> Result<bool, PassError> {
        if planted::is(Bug::NamesNotErased) {
            return Ok(true);
        }
        let mut search = match self.searches.get(user) {
            Some(search) => search.clone(),
            None => self.table.search(user).await?,
        };
        for _ in 0..settings::SEARCH_PAGES {
            if search.over {
                return Ok(true);
            }
            let page = self.table.naming(user, &search.after, settings::SEARCH_PAGE).await?;
            let changed = self.unname(user, page.tasks).await?;
            search = search.after_page(page.last, changed);
            self.searches.insert(user.clone(), search.clone());
            self.table.searched(user, &search).await?;
        }
        Ok(search.over)
    }

    /// Takes the name out of these tasks; tells whether it was in any, or may be still: a call has failed.
    async fn unname(&mut self, user: &Person, tasks: Vec<TaskId>) -> Result<bool, PassError> {
        if tasks.is_empty() {
            return Ok(false);
        }
        let call = |task: TaskId| {
            let (ports, user) = (Arc::clone(&self.ports), user.clone());
            async move {
                let version = ports.erase(&task, &user).await?;
                if version == 0 {
                    // Somebody else's: it must not be lost for a name.
                    tracing::warn!(task.id = %task, "a task that cannot be read names a user who is erased; repair it");
                }
                Ok(version > 0)
            }
        };
        let mut page = self.paced.page(tasks).await?;
        let mut found = false;
        while let Some(results) = self.paced.burst(&mut page, &call).await {
            let changed = results.iter().filter(|result| matches!(result, Ok(true))).count();
            metrics().unnamed_tasks.inc_by(changed as u64);
            found |= results.iter().any(|result| !matches!(result, Ok(false)));
            page.judge(results)?;
        }
        Ok(found)
    }
}

impl Search {
    /// Where it is after a page, which ended at `last` and in which the name was or was not. After the last page
    /// it is over, or begins once more.
    fn after_page(self, last: Option<String>, found: bool) -> Self {
        let found = self.found || found;
        match last {
            Some(after) => Self { after, found, over: false },
            None => Self { after: String::new(), found: false, over: !found },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_over_once_nothing_was_found_from_its_beginning_to_its_end() {
        let page = |search: Search, last: &str, found| {
            search.after_page((!last.is_empty()).then(|| last.to_owned()), found)
        };
        let begun = page(Search::default(), "a", false);
        assert_eq!(begun, Search { after: "a".into(), found: false, over: false });
        assert!(page(begun.clone(), "", false).over);
        let found = page(page(begun, "b", true), "c", false);
        assert_eq!(found, Search { after: "c".into(), found: true, over: false });
        let again = page(found, "", false);
        assert_eq!(again, Search::default(), "from the beginning");
        assert!(!page(again.clone(), "", true).over, "on the last page");
        assert!(page(again, "", false).over);
    }
}
