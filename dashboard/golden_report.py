"""The golden run as people read it: published figures of CDNOW beside those worked out here."""
