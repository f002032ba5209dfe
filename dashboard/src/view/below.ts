/** The views below the fold, in a file of their own: it is loaded when the page is scrolled near them. */
import './drift.js';
import './models.js';
import './records.js';
