//! Turns deploy orders into gateway state and reports what happened.
