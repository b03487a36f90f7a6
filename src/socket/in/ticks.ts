/**
 * What Node runs between two callbacks of its own: ticks, promise jobs, rejections that nobody handled. dgram's datagrams
 * come with it between them. An immediate for each of them does the same, for three times the price.
 *
 * This is the function that Node calls between two immediates. Node 20 to 26 expose it as process._tickCallback; its
 * documentation advises against it (DEP0134), and with --pending-deprecation it stands behind a warning. Deno has none,
 * and Bun another one of the same name.
 */
const { _tickCallback: exposed } = process as { _tickCallback?: () => void };

/** undefined where it cannot be had silently. */
export const runTicks = exposed?.name === 'runNextTicks' ? exposed : undefined;
