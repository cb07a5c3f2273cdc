const webgpuAdaGrad0: WebGpuVariant = {
  stores: [0, 2],
  scratch: 0,
  cells: 0,
  partials: 0,
  state: [],
  observed: [],
  segments: [{
    parts: [{
      pass: ['part0', [0, 2, 3, 4]]
    }]
  }],
  code: /* wgsl */ `
  @group(0) @binding(2) var<storage, read_write> w_: array<T>;
  @group(0) @binding(3) var<storage, read> g_: array<T>;
  @group(0) @binding(4) var<storage, read_write> s_: array<T>;
  fn pass0(id: u32, first: u32, end: u32) {
    let lr = layer.s[0].x;
    let epsilon = layer.s[0].y;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let g = g_[i];
      let s = s_[i];
      let s_2 = s + g * g; // s := s + g
      let w_2 = w - lr * g / (sqrt(s_2) + epsilon); // w := w - lr * g / (√s + ε
      w_[i] = w_2;
      s_[i] = s_2;
    }
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
  }
  `
}

export default webgpu({
  variants: [webgpuAdaGrad0]
})
