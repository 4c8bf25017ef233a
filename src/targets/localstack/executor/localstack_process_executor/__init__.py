"""Runs LocalStack's Node.js Lambda functions as child processes."""
