//! What users prefer.

use crate::send::Call;
use crate::{CallOptions, Client, Error, Person};
use reminder_contract::wire::{UserAnswer, UserView};
use reqwest::Method;
use serde::Serialize;

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

    fn preferences_url(&self, user: &Person) -> reqwest::Url {
        self.url(&["users", user.as_str(), "preferences"])
    }
}
