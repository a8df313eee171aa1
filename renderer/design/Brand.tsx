// The mark: a hull standing in a dock.

export function Brand() {
  return (
    <svg className="brand-mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path className="brand-dock" d="M2 5v13.5A2.5 2.5 0 0 0 4.5 21h15a2.5 2.5 0 0 0 2.5-2.500V5" />
      <path
        className="brand-hull"
        d="M6 9.500h12l-1.6 6.200a1.8 1.8 0 0 1-1.750 1.300h-5.300a1.8 1.8 0 0 1-1.750-1.300Z"
      />
      <path className="brand-dock" d="M12 9.500V4" />
    </svg>
  );
}
