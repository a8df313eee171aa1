// A code block of a step: to copy, to have typed into a terminal, to have written to a file, or to compare with.
import { useTranslation } from 'react-i18next';

import { CopyButton, Icon } from '../design/index.ts';
import { useApp } from '../state/index.ts';
import { writeFileCommand } from '../terminal/index.ts';
import type { Fence } from './fence.ts';

export function CodeBlock({ fence, text }: { fence: Fence; text: string }) {
  const { t } = useTranslation();
  const { machine, file, run, output } = fence;
  const isCommand = run || /^(?:ba)?sh$/.test(fence.language);
  if (output) {
    return (
      <figure className="code code-output">
        <figcaption>{t('guide.expectedOutput')}</figcaption>
        <pre tabIndex={0}>{text}</pre>
      </figure>
    );
  }
  return (
    <figure
      className={isCommand ? 'code code-command' : 'code'}
      data-testid="code-block"
      data-machine={machine}
    >
      <figcaption>
        <span className="code-place">{file ?? machine ?? fence.language}</span>
        {file !== undefined && machine !== undefined && <span className="code-machine">{machine}</span>}
        <span className="code-actions">
          {file !== undefined ? (
            <TypeButton
              text={writeFileCommand(file, text)}
              machine={machine}
              label={t('guide.writeFile')}
              icon="file"
            />
          ) : (
            run && <TypeButton text={text} machine={machine} label={t('guide.typeForMe')} icon="terminal" />
          )}
          <CopyButton text={text} label={t('guide.copy')} doneLabel={t('guide.copied')} />
        </span>
      </figcaption>
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}

function TypeButton(props: {
  text: string;
  machine: string | undefined;
  label: string;
  icon: 'file' | 'terminal';
}) {
  const { t } = useTranslation();
  const typeText = useApp((store) => store.typeText);
  return (
    <button
      className="quiet-button type-button"
      title={props.machine === undefined ? props.label : t('guide.typeOn', { machine: props.machine })}
      data-testid={props.icon === 'file' ? 'write-file' : 'type-for-me'}
      onClick={() => void typeText(props.text, props.machine)}
    >
      <Icon name={props.icon} />
      {props.label}
    </button>
  );
}
