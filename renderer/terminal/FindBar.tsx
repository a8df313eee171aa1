// The search in a terminal: Enter for the next match, Shift+Enter for the previous, Escape to leave.
import { useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../design/index.ts';

export function FindBar(props: {
  onFind: (text: string, direction: 'next' | 'previous') => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') props.onFind(text, event.shiftKey ? 'previous' : 'next');
    if (event.key === 'Escape') props.onClose();
  };
  return (
    <div className="find-bar" role="search">
      <input
        autoFocus
        type="text"
        value={text}
        placeholder={t('terminal.find')}
        aria-label={t('terminal.findIn')}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button
        className="icon-button"
        aria-label={t('terminal.findPrevious')}
        onClick={() => props.onFind(text, 'previous')}
      >
        <Icon name="up" />
      </button>
      <button
        className="icon-button"
        aria-label={t('terminal.findNext')}
        onClick={() => props.onFind(text, 'next')}
      >
        <Icon name="down" />
      </button>
      <button className="icon-button" aria-label={t('terminal.closeFind')} onClick={props.onClose}>
        <Icon name="close" />
      </button>
    </div>
  );
}
