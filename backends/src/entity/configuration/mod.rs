//! What a user configures: components and datasets.
