//! What connector and server say to each other, versioned.
