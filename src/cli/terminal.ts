/** Colours on a terminal; none in a file, a pipe, or where NO_COLOR is set. */
import { styleText } from 'node:util'

type Style = 'red' | 'yellow' | 'bold' | 'dim' | 'cyan' | 'green'

export function styleFor(stream: NodeJS.WriteStream): (style: Style, text: string) => string {
  return (style, text) => styleText(style, text, { stream })
}
