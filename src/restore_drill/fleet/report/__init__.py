"""What came of a fleet: lines as its drills end, one verdict, its files, page and messages."""
