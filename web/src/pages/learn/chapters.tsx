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
      "This digit has 28 rows and 28 columns: 784 numbers, from 0 for blank paper to 255 for full ink. Divided by 255, they are all that the network gets. It knows nothing about lines, loops or paper.",
      "Point at a pixel to read its number. Click it to put ink there or to take it away: the network answers again each time.",
    ],
    widget: Pixels,
    readsDigits: true,
    question: "Change as few pixels as you can until the answer is another digit. How many did you need?",
    answer: "Often a handful, if they close a gap or open a loop. Pixels far from the ink can matter too: the network has learned that ink there is evidence against a digit.",
  },
  {
    title: "Neuron",
    heading: "A neuron adds up evidence",
    text: [
      "A neuron has one weight for each number it looks at. It multiplies each input by its weight, adds up all the products, and adds its bias: z = w·x + b.",
      "Below is one neuron of the network that read your picture. Where a weight is orange, ink makes z larger; where it is blue, ink makes z smaller.",
    ],
    widget: Neuron,
    readsDigits: true,
    question: "Move the bias until z is 0. What does the bias say about the neuron?",
    answer: "It sets the threshold: how much evidence it takes for z to rise above 0. A neuron with a bias far below 0 responds only to pictures that fit its weights well.",
  },
  {
    title: "Activation",
    heading: "An activation bends the line",
    text: [
      "A sum of sums is only a sum: without a bend, layers could draw nothing but straight boundaries, however many are stacked. So each neuron passes z through a bent function f, its activation.",
      "The slope f′(z) matters as much as the value. When the network learns, the gradient that comes back to the neuron is multiplied by this slope.",
    ],
    widget: Activation,
    question: "Choose sigmoid and move z to 6. What has happened to the slope, and what does that mean for a neuron that should still learn?",
    answer: "The slope is almost 0, so hardly any of the gradient gets through: the neuron is saturated, and learns slowly. ReLU has a slope of 1 for every z above 0, which is one reason why it is so common. Below 0 its slope is 0, and a neuron whose z is always there is dead.",
  },
  {
    title: "Layers",
    heading: "Layers draw boundaries that no line can",
    text: [
      "Neurons side by side form a layer: each sees the same inputs, with weights of its own. The next layer looks at the outputs of this one, so it can combine simple patterns into larger ones.",
      "Here are two spirals, wound around each other. The network sees two numbers, the coordinates of a point, and must say which spiral the point belongs to.",
    ],
    widget: Layers,
    question: "Train a network with no hidden layer, then with one, then with two. Which can tell the spirals apart?",
    answer: "Without a hidden layer the boundary is a straight line, and little more than half of the points are classified correctly. Eight neurons bend it, but not often enough; 32 do. Two layers of eight need only half as many neurons, and get there sooner: the second layer bends what the first has bent.",
  },
  {
    title: "Forward",
    heading: "The way from picture to answer",
    text: [
      "Forward propagation is nothing but neurons, layer after layer. Follow one picture and see what each layer makes of it.",
      "At the end there is one score for each digit. Softmax turns the scores into probabilities: it takes e to the power of each score and divides by the sum of all of these.",
    ],
    widget: Forward,
    readsDigits: true,
    question: "Look at the scores before softmax. How far ahead of the second must the best score be for a probability of 99%?",
    answer: "About ln 99 = 4.6, if no other score comes close: softmax depends only on differences, and each difference of 1 multiplies the odds by e = 2.718.",
  },
  {
    title: "Loss",
    heading: "The loss says how wrong the answer was",
    text: [
      "To learn, the network needs one number that says how bad an answer was. For probabilities it is the cross-entropy: −ln p, where p is the probability that the network gave to the truth.",
      "A confident right answer has almost no loss. A confident wrong answer has a large one, and there is no limit to how large.",
    ],
    widget: Loss,
    readsDigits: true,
    question: "Compare the two curves where p is near 0. Why does the squared error teach a classifier so slowly?",
    answer: "The squared error is at most 1, with a slope of at most 2; the cross-entropy grows without limit. And p comes out of a softmax or a sigmoid, which is nearly flat where p is near 0. So with respect to the score, the slope of the squared error is almost 0 where the answer is worst. The slope of the cross-entropy is 1 − p there: it is steepest where it matters most.",
  },
  {
    title: "Backward",
    heading: "Which way should this weight go?",
    text: [
      "The loss depends on every weight. Hold all but one fixed, and the loss is a curve. Its slope at the present weight is the gradient: it says which way is down.",
      "Backpropagation finds the slopes of all weights in one pass back through the network, by the chain rule: the slope of a weight is its input times the gradient that came back to its neuron, dL/dw = x · dL/dz.",
    ],
    widget: Backward,
    readsDigits: true,
    question: "Raise the learning rate until the step leaves the chart. The loss of this digit falls all the way. Why is such a long step wrong all the same?",
    answer: "The slope holds only at the present weight, and only for this one digit. The weight serves all the others too: where the truth is another digit, what helps here makes the loss worse. Over a batch of digits the loss has a valley, and a step that is too long passes its bottom and climbs the other side. On the page Train, raise the learning rate while a network learns, and watch it happen.",
  },
  {
    title: "Overfitting",
    heading: "Learning and memorizing",
    text: [
      "An optimizer repeats that step for all weights, on one batch after another; Adam gives each weight a step size of its own. The training loss falls. But the aim is to do well on new data. Validation measures that, on samples that the network never learns from.",
      "Where the two losses part, the network memorizes. The gap between them is shaded. These few points are noisy on purpose.",
    ],
    widget: Overfitting,
    question: "Watch the boundary while the gap grows. Then add L2 and train again. What happens to the boundary and the gap?",
    answer: "Without a penalty on the weights, the boundary winds around single points. L2 keeps the weights small, so the boundary stays smooth: the training loss ends higher, the validation loss lower.",
  },
];
