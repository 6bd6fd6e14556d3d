//! The reminder scheduler service.
