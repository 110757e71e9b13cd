"""What several pages share: panels, tables, cards, dialogs, fields."""
