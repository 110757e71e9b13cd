"""What several pages share: cards, tables, chips, dialogs, fields."""
