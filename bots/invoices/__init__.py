"""Takes in vendor invoices and posts those that nothing speaks against."""
