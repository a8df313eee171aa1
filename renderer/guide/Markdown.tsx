// A lab's Markdown, which may come from anybody: no HTML of its own, no images from elsewhere, links that lead nowhere.
import { memo } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';

import { CodeBlock } from './CodeBlock.tsx';
import { parseFence } from './fence.ts';
import { joinLines } from './join-lines.ts';

const PLUGINS = [remarkGfm, joinLines];

const COMPONENTS: Components = {
  pre: ({ node }) => {
    const code = node?.children[0];
    if (code?.type !== 'element') return null;
    const text = code.children.map((child) => (child.type === 'text' ? child.value : '')).join('');
    const [className] = Array.isArray(code.properties.className) ? code.properties.className : [];
    const language = String(className ?? '').replace(/^language-/, '');
    const meta = (code.data as { meta?: string | null } | undefined)?.meta ?? '';
    return <CodeBlock fence={parseFence(`${language} ${meta}`)} text={text.replace(/\n$/, '')} />;
  },
  // The window never leaves the app: where a link would lead can be read, and no more.
  a: ({ children, href }) => (
    <span className="dead-link" title={href}>
      {children}
    </span>
  ),
  img: ({ alt }) => <span className="dead-image">{alt}</span>,
  table: ({ children }) => (
    <div className="prose-table">
      <table>{children}</table>
    </div>
  ),
  input: ({ checked }) => <span aria-hidden="true">{checked === true ? '☑ ' : '☐ '}</span>,
};

/** Drawn again only when the text changes: steps are long, and checks tick. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className="prose">
      <ReactMarkdown components={COMPONENTS} remarkPlugins={PLUGINS} skipHtml>
        {text}
      </ReactMarkdown>
    </div>
  );
});
