/** The mark: three parts of one molecule. */
export function Logo({ size = 18 }: { size?: number }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      aria-hidden="true"
      className="shrink-0"
    >
      <path
        d="m7.2 15.4 3.4-5.6m2.9.1 3.2 5.4M8.6 17.5h6.7"
        stroke="currentColor"
        strokeWidth="1.75"
      />
      <circle cx="12" cy="6.6" r="3.6" fill="currentColor" />
      <circle cx="5.6" cy="17.4" r="3.1" fill="currentColor" />
      <circle cx="18.4" cy="17.4" r="3.1" fill="var(--focus)" />
    </svg>
  );
}
