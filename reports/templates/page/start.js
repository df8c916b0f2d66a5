// Starts the page's parts, the open job last: it needs all others.

prepareTables();
prepareGrid();
prepareJobs();
prepareSides();
prepareJob();
