"""CloudWatch Logs Insights' query language, as far as its documentation goes, on lines of a log."""
