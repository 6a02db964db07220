//! What a request item waits for.

use crate::text_enum::text_enum;

text_enum! {
    /// What an item waits for.
    WaitingFor {
        /// The owner's decision.
        Decision = "decision",
        /// The requester's answer.
        Answer = "answer",
        /// The connector, which is there.
        Connector = "connector",
        /// The connector, which has not been heard of since `waiting_since`.
        ConnectorOffline = "connector_offline",
        /// The window is still being recorded.
        Recording = "recording",
        /// The video system, which its connector cannot reach; `waiting_because` says why.
        System = "system",
        /// The key of what is held, which is not beside the recorder; `waiting_because` says more.
        Key = "key",
        /// Room on the disk beside the recorder.
        Room = "room",
        /// Room on the disk of the server.
        ServerRoom = "server_room",
        /// The hours at which the connector sends footage.
        Hours = "hours",
        /// Somebody with the upload link.
        Link = "link",
        /// A new upload link: the last has run out, or was revoked.
        NewLink = "new_link",
    }
}
