import type { ComponentType } from "preact";
import { Activation } from "./activation";
import { Backward } from "./backward";
import { Forward } from "./forward";
import { Layers } from "./layers";
import { Loss } from "./loss";
import { Neuron } from "./neuron";
import { Overfitting } from "./overfitting";
import { Pixels } from "./pixels";

export interface Chapter {
  title: string;
  heading: string;
  text: string[];
  widget: ComponentType;
  readsDigits?: true; // it goes with a digit through the network
  question: string;
  answer: string;
}

/** The road, from a picture to a network that learns. */
export const CHAPTERS: Chapter[] = [
  {
    title: "Pixels",
    heading: "A picture is a table of numbers",
    text: [
      "This digit has 28 rows and 28 columns: 784 numbers, from 0 for bare paper to 255 for full ink. Divided by 255, they are all that the network gets. It knows nothing of lines, loops or paper.",
      "Point at a pixel to read its number. Press on it to put ink there, or to take it away: the network answers again each time.",
    ],
    widget: Pixels,
    readsDigits: true,
    question: "Change as few pixels as you can, until the answer is another digit. How many did you need?",
    answer: "Often a handful, if they close a gap or open a loop. Pixels far from the ink can count as well: the network has learned that ink there speaks against a digit.",
  },
  {
    title: "Neuron",
    heading: "A neuron adds up what speaks for something",
    text: [
      "A neuron has one weight for each number it looks at. It multiplies each input by its weight, adds up all products, and adds its bias: z = w·x + b.",
      "These are the weights of a neuron of the network that read your picture, as a picture: orange where ink makes z larger, blue where it makes it smaller.",
    ],
    widget: Neuron,
    readsDigits: true,
    question: "Move the bias until z is 0. What does the bias say about the neuron?",
    answer: "It is the threshold: how much the picture must speak for the pattern before z is above 0. A neuron with a bias far below 0 answers only to a picture that fits its weights well.",
  },
  {
    title: "Activation",
    heading: "An activation bends the line",
    text: [
      "Sums of sums are only sums: however many layers are stacked, without a bend they could draw nothing but straight borders. So each neuron passes z through a bent function f, its activation.",
      "The slope f′(z) matters as much as the value. When the network learns, what it hears from above is multiplied by this slope.",
    ],
    widget: Activation,
    question: "Choose sigmoid and move z to 6. What has become of the slope, and what does that mean for a neuron that should still learn?",
    answer: "The slope is almost 0, so hardly anything of a mistake comes through: the neuron is saturated, and learns slowly. ReLU keeps the slope 1 for every z above 0, which is why it is so common; below 0 its slope is 0, and a neuron that is always there is dead.",
  },
  {
    title: "Layers",
    heading: "Layers draw borders that no line could",
    text: [
      "Neurons side by side are a layer: each sees the same inputs with weights of its own. The next layer looks at the outputs of this one, so it can combine simple patterns into larger ones.",
      "Here are two spirals, wound into each other. The network sees two numbers, where a point lies, and must say to which spiral it belongs.",
    ],
    widget: Layers,
    question: "Train it with no hidden layer, then with one, then with two. Which can tell the spirals apart?",
    answer: "Without a hidden layer the border is a straight line, and not much more than half of the points are right. Eight neurons bend it, but not often enough; 32 do. Two layers of eight do it with half of those, and sooner: the second bends what the first has bent.",
  },
  {
    title: "Forward",
    heading: "The road from picture to answer",
    text: [
      "Forward propagation is nothing but neurons, layer after layer. Go along the road of one picture and see what each layer makes of it.",
      "At the end stands one score for each digit. Softmax turns scores into probabilities: e to the power of each, divided by their sum.",
    ],
    widget: Forward,
    readsDigits: true,
    question: "Look at the scores before softmax: how far must the best be ahead of the second for a probability of 99%?",
    answer: "By about ln 99 = 4.6, if no other comes near: softmax looks at differences only, and each difference of 1 multiplies the odds by e = 2.718.",
  },
  {
    title: "Loss",
    heading: "The loss says how wrong the answer was",
    text: [
      "To learn, the network needs one number that says how bad an answer was. For probabilities it is the cross-entropy: −ln p, where p is the probability that it gave to the truth.",
      "A sure and right answer costs almost nothing. A sure and wrong one is dear, and no limit ends how dear.",
    ],
    widget: Loss,
    readsDigits: true,
    question: "Compare both curves where p is near 0. Why does the squared error teach a classifier so slowly?",
    answer: "The squared error ends at 1, with a slope of 2 at most; the cross-entropy grows without end. And p comes out of a softmax or a sigmoid, which is nearly flat where p is near 0. By the score, the slope of the squared error is therefore almost 0 where the answer is worst; that of the cross-entropy is 1 − p, the steepest just there.",
  },
  {
    title: "Backward",
    heading: "Which way should this weight go?",
    text: [
      "The loss depends on every weight. Hold all but one, and the loss is a curve. Its slope where the weight stands now is the gradient: it says which way is down.",
      "Backpropagation finds the slopes of all weights in one walk back, by the chain rule: the slope of a weight is its input times what came back to its neuron, dL/dw = x · dL/dz.",
    ],
    widget: Backward,
    readsDigits: true,
    question: "Raise the learning rate until the step leaves the picture. The loss of this digit falls all the way: why is such a long step wrong all the same?",
    answer: "The slope is true only where the weight stands, and for this one digit. The weight serves all others too: where another digit is right, what helps here makes their loss worse. Over a batch of digits the loss has a valley, and a step that is too long passes its bottom and climbs the other side. On the page Train, raise the learning rate while a network learns, and see it happen.",
  },
  {
    title: "Overfitting",
    heading: "Learning, and learning by heart",
    text: [
      "An optimizer repeats that step for all weights, on one batch after the other; Adam gives each weight a pace of its own. Training loss falls. But the aim is new data, and that is what validation measures: samples that the network never learns from.",
      "Where both part, the network learns by heart. The gap is shaded. These few points are noisy on purpose.",
    ],
    widget: Overfitting,
    question: "Watch the border while the gap grows. Then add L2 and train again: what became of border and gap?",
    answer: "Without a penalty on the weights, the border winds around single points. L2 keeps weights small, so the border stays smooth: the training loss ends higher, the validation loss lower.",
  },
];
