const webgpuMomentum0: WebGpuVariant = {
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
  @group(0) @binding(4) var<storage, read_write> v_: array<T>;
  fn pass0(id: u32, first: u32, end: u32) {
    let lr = layer.s[0].x;
    let mu = layer.s[0].y;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let v = v_[i];
      let g = g_[i];
      let v_2 = mu * v + g; // v := μ * v +
      let w_2 = w - lr * v_2; // w := w - lr * (if nesterov then g + μ * v else v
      w_[i] = w_2;
      v_[i] = v_2;
    }
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
  }
  `
}

const webgpuMomentum1: WebGpuVariant = {
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
  @group(0) @binding(4) var<storage, read_write> v_: array<T>;
  fn pass0(id: u32, first: u32, end: u32) {
    let lr = layer.s[0].x;
    let mu = layer.s[0].y;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let g = g_[i];
      let v = v_[i];
      let v_2 = mu * v + g; // v := μ * v +
      let w_2 = w - lr * (g + mu * v_2); // w := w - lr * (if nesterov then g + μ * v else v
      w_[i] = w_2;
      v_[i] = v_2;
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
  variants: [webgpuMomentum0, webgpuMomentum1]
})
