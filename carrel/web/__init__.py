"""The design system that the pages of both programs share: templates, styles, scripts, icons, languages, headers."""
