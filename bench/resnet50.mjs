// The shapes of the 161 trainable tensors of ResNet-50, 25.6 million weights.
const batchNorm = (channels) => [[channels], [channels]]

function block(from, width, shortcut) {
  return [
    [1, 1, from, width],
    ...batchNorm(width),
    [3, 3, width, width],
    ...batchNorm(width),
    [1, 1, width, 4 * width],
    ...batchNorm(4 * width),
    ...(shortcut ? [[1, 1, from, 4 * width], ...batchNorm(4 * width)] : [])
  ]
}

const stages = [
  [64, 3],
  [128, 4],
  [256, 6],
  [512, 3]
]

export const shapes = [
  [7, 7, 3, 64],
  ...batchNorm(64),
  ...stages.flatMap(([width, count], stage) =>
    Array.from({ length: count }, (_, i) =>
      block(i > 0 ? 4 * width : stage === 0 ? 64 : 2 * width, width, i === 0)
    ).flat()
  ),
  [2048, 1000],
  [1000]
]
