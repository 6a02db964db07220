//! What the product does: one function per verb; jobs; mail and its templates.
