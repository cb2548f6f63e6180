//! Figures as Arrow record batches.
