/**
 * The hash behind `noise()`, as data for the targets that print it: Threefry with two words of 32 bits and 13 rounds
 * (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011), nothing but adds, rotations and xors.
 *
 * A round is `x += y; y = rotate(y) ^ x`. After every fourth, two of the three words of the key are added: the two that it
 * has, and both of them xor the parity.
 */

/** By how many bits `y` is turned to the left in each round. */
export const ROTATIONS: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24, 13, 15, 26, 6, 17]

export const PARITY = 0x1bd11bda
