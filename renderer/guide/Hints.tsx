// Hints, one after the other, each with its price.
import { useTranslation } from 'react-i18next';

import type { HintState } from '../../preload/contract.ts';
import { Icon } from '../design/index.ts';
import { useApp, useLocalized } from '../state/index.ts';
import { Markdown } from './Markdown.tsx';

export function Hints(props: { step: number; hints: readonly HintState[]; disabled: boolean }) {
  const { t } = useTranslation();
  const localized = useLocalized();
  const takeHint = useApp((store) => store.takeHint);
  const taken = props.hints.filter(({ text }) => text !== undefined);
  // The next one that wasn't taken; those after it wait.
  const next = props.hints.findIndex(({ text }) => text === undefined);
  const cost = props.hints[next]?.cost ?? 0;
  return (
    <section className="hints" aria-label={t('guide.hints')}>
      {taken.map(({ text }, index) => (
        <div className="hint" key={text?.en} data-testid="hint-text">
          <p className="eyebrow">
            <Icon name="hint" />
            {t('guide.hint', { number: index + 1 })}
          </p>
          {text !== undefined && <Markdown text={localized(text)} />}
        </div>
      ))}
      {next >= 0 && (
        <button
          className="quiet-button"
          disabled={props.disabled}
          data-testid="take-hint"
          onClick={() => takeHint(props.step, next)}
        >
          <Icon name="hint" />
          {cost === 0
            ? t('guide.hintFree', { number: next + 1 })
            : t('guide.hintCosts', { number: next + 1, cost })}
        </button>
      )}
    </section>
  );
}
