//! Mails of the outbox.

use crate::text_enum::text_enum;

text_enum! {
    /// Where a mail stands.
    MailState {
        /// To be sent.
        Waiting = "waiting",
        /// A mail server took it.
        Sent = "sent",
        /// Nothing delivers mail here: an administrator reads it in the page.
        Kept = "kept",
        /// Given up.
        Dead = "dead",
    }
}
