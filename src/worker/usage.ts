/** What an attempt says that it used. */
export interface Used {
  readonly units?: number;
  readonly usd?: number;
}

/** Adds up what one attempt says that it used; what is no number that can be added says nothing. */
export class Usage {
  units: number | undefined;
  usd: number | undefined;

  add({ units, usd }: Used): void {
    if (isAmount(units)) this.units = (this.units ?? 0) + units;
    if (isAmount(usd)) this.usd = (this.usd ?? 0) + usd;
  }

  /** Empty where nothing was said. */
  said(): { readonly used?: Used } {
    const { units, usd } = this;
    if (units === undefined && usd === undefined) return {};
    return { used: { ...(units === undefined ? {} : { units }), ...(usd === undefined ? {} : { usd }) } };
  }
}

const isAmount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
