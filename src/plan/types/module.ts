/** Part of the Plan: `module` policies. Cold; types only. */
import type { ModuleSource } from '../../kit/versioned-modules.ts';

/** A module with the texts of its files. */
export type ModulePlan = ModuleSource;

/** The code of a module with these settings. The files are in the plan's `modules`. */
export interface ModulePolicyPlan {
  readonly type: 'module';
  /** Absolute path. */
  readonly module: string;
  /** Covers the module's files: an edit of one of them is another policy. */
  readonly digest: string;
  /** Conforms to the schema that the module exports. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The names of the pools that it may send subrequests to. */
  readonly pools: readonly string[];
}
