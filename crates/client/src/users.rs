//! What users prefer, and that all of a user is paused.

use crate::send::Call;
use crate::{CallOptions, Client, Error, Person};
use reminder_contract::rest::ErasureView;
use reminder_contract::wire::{UserAnswer, UserPaused, UserView};
use reminder_domain::pause::IfMissed;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;

impl Client {
    /// What holds for a user, the defaults included, and how far the tasks have followed.
    pub async fn preferences(&self, user: &Person) -> Result<UserView<'static>, Error> {
        self.read(Call::get(self.preferences_url(user))).await
    }

    /// Replaces all of a user's preferences. `preferences` is a
    /// [`Preferences`](reminder_domain::preferences::Preferences), or anything that is written as one.
    pub async fn put_preferences(
        &self,
        user: &Person,
        preferences: &(impl Serialize + ?Sized),
        options: &CallOptions,
    ) -> Result<UserAnswer<'static>, Error> {
        let call = Call::command(Method::PUT, self.preferences_url(user), options);
        self.read(call.json(preferences)?).await
    }

    /// Nothing of the user fires until it is resumed; the answer tells how many tasks have yet to follow.
    pub async fn pause_user(
        &self,
        user: &Person,
        options: &CallOptions,
    ) -> Result<UserPaused<'static>, Error> {
        let url = self.url(&["users", user.as_str(), "pause"]);
        self.read(Call::command(Method::POST, url, options)).await
    }

    /// The reminders of the user fire again; what fell due meanwhile does so at once, or is skipped.
    pub async fn resume_user(
        &self,
        user: &Person,
        missed: IfMissed,
        options: &CallOptions,
    ) -> Result<UserPaused<'static>, Error> {
        let url = self.url(&["users", user.as_str(), "resume"]);
        let call = Call::command(Method::POST, url, options);
        self.read(call.json(&json!({ "missed": missed }))?).await
    }

    /// Has everything of a user erased; answers how far that is. Asked for once more, it goes on.
    pub async fn erase_user(&self, user: &Person) -> Result<ErasureView, Error> {
        let options = CallOptions::default();
        let url = self.url(&["users", user.as_str()]);
        self.read(Call::command(Method::DELETE, url, &options)).await
    }

    /// How the erasure of a user stands. With `erasing` false and no tasks, nothing is left.
    pub async fn erasure(&self, user: &Person) -> Result<ErasureView, Error> {
        self.read(Call::get(self.url(&["users", user.as_str(), "erasure"]))).await
    }

    fn preferences_url(&self, user: &Person) -> reqwest::Url {
        self.url(&["users", user.as_str(), "preferences"])
    }
}
