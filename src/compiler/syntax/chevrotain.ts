/**
 * What is used of Chevrotain when it runs. In dist/ the build puts Chevrotain's own bundle here: as modules it is some six
 * hundred files, which take longer to load than a file takes to check.
 */
export { createToken, EmbeddedActionsParser, EOF, Lexer } from 'chevrotain'
