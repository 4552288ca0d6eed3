"""Live sessions: who looks at a study together, what stands in their panes, and where they point. Knows no Django."""
