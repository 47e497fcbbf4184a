"""The REST API as a whole: how one signs in to it, its errors, its paging and its addresses."""
