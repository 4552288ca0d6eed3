"""REST: studies, series, frames, uploads. Views parse, call one thing, answer; docs are the schema at `/api/schema/`."""
