//! The user's name in tasks of others: who shall do them, and who asked for them.
//!
//! No index knows it; so all stored states are gone through, a part in each look, until once none of them named
//! the user. How far that is, the request's row says.

use super::{Erasing, settings};
use crate::audit::paced::PassError;
use crate::metrics::metrics;
use crate::planted::{self, Bug};
use crate::ports::Ports;
use crate::read_model::{ErasureRequest, Search};
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far the searches of one process are, each with the number of the request that it belongs to.
#[derive(Default)]
pub(super) struct Searches(BTreeMap<Person, (i64, Search)>);

impl Searches {
    /// Forgets those of other requests than these: who was asked for once more is searched for anew.
    pub(super) fn keep(&mut self, requests: &[ErasureRequest]) {
        self.0.retain(|user, (number, _)| {
            requests.iter().any(|one| one.user == *user && one.number == *number)
        });
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Forgets that of a user.
    pub(super) fn remove(&mut self, user: &Person) {
        self.0.remove(user);
    }

    fn get(&self, request: &ErasureRequest) -> Option<Search> {
        self.0.get(&request.user).map(|(_, search)| search.clone())
    }

    fn note(&mut self, request: &ErasureRequest, search: &Search) {
        self.0.insert(request.user.clone(), (request.number, search.clone()));
    }
}

impl<P: Ports> Erasing<P> {
    /// Goes on with the search; tells whether it is over.
    pub(super) async fn search(&mut self, request: &ErasureRequest) -> Result<bool, PassError> {
        if planted::is(Bug::NamesNotErased) {
            return Ok(true);
        }
        let user = &request.user;
        let mut search = match self.searches.get(request) {
            Some(search) => search,
            None => self.table.search(user).await?,
        };
        for _ in 0..settings::SEARCH_PAGES {
            if search.over {
                return Ok(true);
            }
            let page = self.table.naming(user, &search.after, settings::SEARCH_PAGE).await?;
            let changed = self.unname(user, page.tasks).await?;
            search = search.after_page(page.last, changed);
            self.searches.note(request, &search);
            self.table.searched(request, &search).await?;
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
    fn who_is_asked_for_once_more_is_searched_for_anew() {
        let request =
            |user: &str, number| ErasureRequest { user: Person::parse(user).unwrap(), number };
        let (first, again, other) = (request("ada", 1), request("ada", 3), request("bob", 2));
        let over = Search { over: true, ..Search::default() };
        let mut searches = Searches::default();
        searches.note(&first, &over);
        searches.note(&other, &over);
        searches.keep(&[first.clone(), other.clone()]);
        assert_eq!(
            (searches.get(&first), searches.get(&other)),
            (Some(over.clone()), Some(over.clone()))
        );
        searches.keep(&[again.clone(), other.clone()]);
        assert_eq!((searches.get(&again), searches.get(&other)), (None, Some(over)));
        searches.keep(&[again]);
        assert_eq!(searches.get(&other), None, "that one is done");
    }

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
