//! Live pages of a user's tasks and reminders.
//!
//! | Module | Holds |
//! |---|---|
//! | [`feed`] | what one user's page is told, and how a page that comes back goes on; pure |
//! | [`hub`] | who is connected, and whose feeds are in memory |
//! | [`updates`] | the topic `task-updates`, for these feeds |
//! | [`load`] | what a feed begins with, from the todo-api and the scheduler |
//! | [`http`] | the page, its stream, and what it may do |
//! | [`config`] | the settings |

pub mod config;
pub mod feed;
pub mod http;
pub mod hub;
pub mod load;
pub mod updates;
