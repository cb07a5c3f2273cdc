/**
 * Random tests draw the same cases on every run, so that a change is what a failure tells of. OPTC_SEED=n draws others;
 * OPTC_SEED=random draws new ones each time (the seed is printed with the test's name).
 */
import fc from 'fast-check'

const seed = process.env['OPTC_SEED'] ?? '20190401'
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })
