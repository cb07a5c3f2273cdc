/** The call was wrong, not the programs: an unreadable file, an unknown target. Its message is all that the user sees. */
export class CallError extends Error {}
