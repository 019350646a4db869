"""What each resource type of the program is made by: the explicit tables of what a rehearsal knows."""
