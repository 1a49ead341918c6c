# SPDX-License-Identifier: Apache-2.0
"""cache.zip: the file that torchvision would download for resnet18(weights='DEFAULT'), with weights that the
provider of the algorithm made from pictures of its own. For a Python that has torch.

    weights.py DIR

torchvision compares the digest in the name with what it has downloaded, not with what is there.

The program puts a new last layer on what it finds, trains one step of six pictures and looks how good it
is: 270 pictures, some 500 billion operations, which is hours of a processor that is emulated. Then it trains on
for twenty steps, which is as much again and half of it. So these weights are made to be good after that
one step, which they are if its six pictures are of all kinds (three times in four):
- all layers but the last block are trained, in few steps, to tell the kinds of pictures apart;
- the last block's first half turns that into a group of channels for each kind, of which the picture's own
  is large and the others are nothing;
- its second half is nothing yet. A step of Adam moves each weight by as much, towards what its gradient's
  sign says: those that come from a kind's channels, towards that kind's row of the new last layer.
"""
import io
import os
import random
import sys

import torch
import torchvision
from PIL import Image

import chest
import files

NAME = "torch/hub/checkpoints/resnet18-f37072fd.pth"
SIZE, EACH, BATCH, STEPS, RATE = 224, 32, 12, 30, 1e-3
LIKE = torchvision.transforms.Compose([  # what the program makes of a picture
    torchvision.transforms.Resize(size=(SIZE, SIZE)), torchvision.transforms.ToTensor(),
    torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
WIDTH = 512       # channels of the last block
LARGE = 100.0     # what a kind's channels are for a picture of it, about
LITTLE = 1e-4     # variance of the first half's sums: where a kind is missing, noise is not made large


class Pictures:
    """Of nobody, and of no hospital's zip."""

    def __init__(self):
        self.chance = random.Random(1)
        self.kinds = [[LIKE(Image.open(io.BytesIO(chest.picture(kind, random.Random(f"provider/{name}/{index}"))))
                            .convert("RGB")) for index in range(EACH)] for name, kind in chest.CLASSES.items()]

    def some(self, count):
        """Pictures, and of which kind each is."""
        kinds = [self.chance.randrange(len(self.kinds)) for _ in range(count)]
        return torch.stack([self.chance.choice(self.kinds[kind]) for kind in kinds]), torch.tensor(kinds)


class Teller(torch.nn.Module):
    """A resnet18 whose last block is one convolution that says at each place which kind it sees."""

    def __init__(self, kinds):
        super().__init__()
        self.net = torchvision.models.resnet18(weights=None)
        self.net.layer4[1] = torch.nn.Identity()
        self.sums = torch.nn.Conv2d(WIDTH, kinds, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(kinds)
        torch.nn.init.constant_(self.norm.weight, 3.0)
        torch.nn.init.constant_(self.norm.bias, -1.0)

    def forward(self, pictures):
        net = self.net
        seen = net.maxpool(net.relu(net.bn1(net.conv1(pictures))))
        return self.norm(self.sums(net.layer4(net.layer3(net.layer2(net.layer1(seen))))))

    def learn(self, pictures):
        loss, adam = torch.nn.BCEWithLogitsLoss(), torch.optim.Adam(self.parameters(), lr=RATE)
        self.train()
        for _ in range(STEPS):
            batch, kinds = pictures.some(BATCH)
            said = self(batch)
            right = torch.nn.functional.one_hot(kinds, said.shape[1]).to(said.dtype)[:, :, None, None]
            adam.zero_grad()
            loss(said, right.expand_as(said)).backward()
            adam.step()
        # Means and variances of what it is now, not of what it was on the way.
        for module in self.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None
        with torch.no_grad():
            for _ in range(STEPS // 5):
                self(pictures.some(2 * BATCH)[0])


def made(teller):
    """The weights of a whole resnet18."""
    state = torchvision.models.resnet18(weights=None).state_dict()
    state.update({name: value for name, value in teller.net.state_dict().items() if not name.startswith("fc.")})
    sums, norm = teller.sums, teller.norm
    own = torch.arange(WIDTH) * sums.out_channels // WIDTH  # whose each channel is
    smaller = torch.sqrt(LITTLE / norm.running_var)
    last = {"conv1.weight": (sums.weight * smaller[:, None, None, None])[own],
            "bn1.running_mean": (norm.running_mean * smaller)[own], "bn1.running_var": torch.full((WIDTH,), LITTLE),
            "bn1.weight": LARGE * norm.weight[own], "bn1.bias": LARGE * norm.bias[own],
            "conv2.weight": torch.zeros(WIDTH, WIDTH, 3, 3), "bn2.bias": torch.full((WIDTH,), 0.1)}
    state.update({f"layer4.1.{name}": value.detach().clone() for name, value in last.items()})
    return state


def make(folder):
    wanted = torchvision.models.ResNet18_Weights.DEFAULT.url.rsplit("/", 1)[1]
    if wanted != os.path.basename(NAME):
        raise SystemExit(f"weights: torchvision asks for {wanted}, not for {NAME}")
    torch.manual_seed(1)
    pictures = Pictures()
    teller = Teller(len(pictures.kinds))
    teller.learn(pictures)
    out = io.BytesIO()
    torch.save(made(teller), out)
    files.write_zip(os.path.join(folder, "cache.zip"), [(NAME, out.getvalue())], packed=False)


if __name__ == "__main__":
    make(files.folder_of(sys.argv, "weights"))
