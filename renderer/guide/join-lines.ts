// Chinese has no blanks between words: a line that ends in a Chinese character goes on in the next without one.

/** Ideographs, kana, and the full-width punctuation around them. */
const WIDE = '[\\u3000-\\u30ff\\u3400-\\u9fff\\uf900-\\ufaff\\uff00-\\uffef]';
const BREAK = new RegExp(`(?<=${WIDE})\\n(?=${WIDE})`, 'g');

/** The parts of a Markdown tree that matter here (mdast). */
interface MarkdownNode {
  readonly type: string;
  value?: string;
  readonly children?: MarkdownNode[];
}

/** A remark plugin: joins such lines in running text; code keeps its own. */
export function joinLines(): (tree: MarkdownNode) => void {
  const visit = (node: MarkdownNode): void => {
    if (node.type === 'text' && node.value !== undefined) node.value = node.value.replace(BREAK, '');
    node.children?.forEach(visit);
  };
  return visit;
}
