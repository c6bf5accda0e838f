/**
 * The lower end of Wilson's score interval for a share, one-sided: with this confidence the true share
 * is not lower. 1 failure of 20 at 95 % may be a service that fails 1.1 % of the time, and no freeze of
 * a 99 % target should rest on it. Never above the share itself.
 *
 * @param share 0..1, as it was seen
 * @param events how many there were; with none nothing is known, and the answer is 0
 * @param confidence above 0.5, below 1
 */
export function wilsonLowerBound(share: number, events: number, confidence: number): number {
  if (!(events > 0)) return 0;
  const z = normalQuantile(confidence);
  const z2 = z * z;
  const centre = share + z2 / (2 * events);
  const margin = z * Math.sqrt((share * (1 - share)) / events + z2 / (4 * events * events));
  return Math.min(share, Math.max(0, (centre - margin) / (1 + z2 / events)));
}

/** Of the standard normal distribution, p in 0.5..1, within 4.5e-4: Abramowitz and Stegun 26.2.23. */
export function normalQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return t - above / below;
}
