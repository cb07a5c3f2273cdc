// Generated from optimizers/std.opt by `npm run generate`. DO NOT EDIT.
export const std: string = ""
